package manage

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// onlyDjango are settings of Django's that Cardea reads, so that a site's configuration can be carried over, but whose only
// accepted values are those in the "only" tag: anything else would be another behaviour than the one asked for.
type onlyDjango struct {
	CSRFFailureView                string `setting:"csrf_failure_view" only:"django.views.csrf.csrf_failure"`
	Debug                          *bool  `setting:"debug" only:"false"`
	SessionSerializer              string `setting:"session_serializer" only:"django.contrib.sessions.serializers.JSONSerializer"`
	SignedCookieLegacySaltFallback *bool  `setting:"signed_cookie_legacy_salt_fallback" only:"true"`
	SigningBackend                 string `setting:"signing_backend" only:"django.core.signing.TimestampSigner"`
}

// check refuses values that would not do what they say.
func (s *Settings) check() error {
	v := reflect.ValueOf(s.onlyDjango)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, only := f.Tag.Get("setting"), f.Tag.Get("only")
		value := v.Field(i)
		if value.IsZero() {
			continue
		}
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if slices.Contains(strings.Fields(only), fmt.Sprint(value.Interface())) {
			continue
		}
		cure := fmt.Sprintf("%s cannot be changed so far; leave it out", name)
		if only != "" {
			cure = fmt.Sprintf("%s can only be %s so far", name, strings.Join(strings.Fields(only), " or "))
		}
		return &SettingError{Where: s.sources[name], Cure: cure}
	}
	if err := s.useValidators(); err != nil {
		return err
	}
	for _, check := range [...]func() error{s.checkLDAP, s.checkUserModel} {
		if err := check(); err != nil {
			return err
		}
	}
	return s.checkEngine()
}
