package manage

import "slices"

// onlyDjango are settings of Django's that are read so that a site's configuration can be carried over. What has no place here is
// refused: anything else would be another behaviour than the one asked for.
type onlyDjango struct {
	CSRFFailureView   string `setting:"csrf_failure_view" fallback:"(a page of Cardea's)"`
	SessionSerializer string `setting:"session_serializer" fallback:"\"django.contrib.sessions.serializers.JSONSerializer\""`
	SigningBackend    string `setting:"signing_backend" fallback:"\"django.core.signing.TimestampSigner\""`
	// SignedCookieLegacySaltFallback is about cookies that a program signs by itself. None of Cardea's own is signed that way, so
	// either value is right; a program in Go chooses by signing.CookieConfig.
	SignedCookieLegacySaltFallback *bool `setting:"signed_cookie_legacy_salt_fallback" fallback:"(nothing is signed that way)"`
}

// refusals are the settings of onlyDjango that take some values only. Each reads "NAME can only be VALUES: WHY".
var refusals = []struct {
	name   string
	value  func(s *Settings) string
	values []string
	why    string
}{
	{
		"csrf_failure_view", func(s *Settings) string { return s.CSRFFailureView },
		[]string{"django.views.csrf.csrf_failure"},
		"a view of Python's cannot run here; leave it out, and a page of Cardea's shows the form again, or set Config.CSRFFailure in Go",
	},
	{
		"session_serializer", func(s *Settings) string { return s.SessionSerializer },
		[]string{"django.contrib.sessions.serializers.JSONSerializer", "django.core.signing.JSONSerializer"},
		"that is what Cardea reads and writes, and a pickle could hold a program that runs when it is read",
	},
	{
		"signing_backend", func(s *Settings) string { return s.SigningBackend },
		[]string{"django.core.signing.TimestampSigner"},
		"a signer of Python's cannot run here, and what is signed in another way is a forgery to one of the two",
	},
}

// check refuses values that would not do what they say.
func (s *Settings) check() error {
	for _, r := range refusals {
		if value := r.value(s); value != "" && !slices.Contains(r.values, value) {
			return s.wrong(r.name, "can only be "+r.values[0]+": "+r.why)
		}
	}
	return first(s.useValidators, s.checkLDAP, s.checkUserModel, s.checkEngine, s.checkOIDC)
}

// first returns the first error of checks.
func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
