package password

import (
	"fmt"
	"slices"
	"strings"
)

// djangoCosts is what changed between versions. Argon2 and bcrypt did not.
type djangoCosts struct {
	version    string
	iterations int
	scryptP    int
}

func djangoVersions() []djangoCosts {
	return []djangoCosts{
		{"4.2", 600_000, 1},
		{"5.0", 720_000, 1},
		{"5.1", 870_000, 5},
		{"5.2", 1_000_000, 5},
	}
}

// FromDjango returns the hashers that Django's PASSWORD_HASHERS names, such as
// "django.contrib.auth.hashers.PBKDF2PasswordHasher", in order, with the costs of that version of Django: "4.2", "5.0", "5.1" or "5.2",
// with or without a patch number. Costs must be equal on both sides of a shared login, or each log-in re-hashes what the
// other side wrote, and ends the user's sessions there. No names mean Django's default list.
//
// Argon2 hashes are 32 bytes long, as argon2-cffi 21.2 and later write them. For an older one, use [Argon2] with
// [DjangoArgon2] and TagLength 16.
func FromDjango(names []string, djangoVersion string) ([]Hasher, error) {
	var costs *djangoCosts
	var known []string
	for _, c := range djangoVersions() {
		known = append(known, c.version)
		if djangoVersion == c.version || strings.HasPrefix(djangoVersion, c.version+".") {
			costs = &c
		}
	}
	if costs == nil {
		return nil, fmt.Errorf("password: the costs of Django %q are not known, only of %s", djangoVersion, strings.Join(known, ", "))
	}
	if len(names) == 0 {
		names = djangoDefaults()
	}
	hashers := make([]Hasher, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(djangoClasses(), func(c djangoClass) bool { return djangoModule+c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("password: hasher %q is not one of Django 5.2's; write it as a password.Hasher, or take it off the list", name)
		}
		hashers = append(hashers, djangoClasses()[i].hasher(*costs))
	}
	return hashers, nil
}

// DjangoName is the dotted path of Django's hasher for an algorithm, such as "pbkdf2_sha256", or "" where Django has none.
func DjangoName(algorithm string) string {
	for _, c := range djangoClasses() {
		if c.algorithm == algorithm {
			return djangoModule + c.name
		}
	}
	return ""
}

// A djangoClass is one of Django's hashers.
type djangoClass struct {
	name, algorithm string
	hasher          func(costs djangoCosts) Hasher
}

func djangoClasses() []djangoClass {
	return []djangoClass{
		{"PBKDF2PasswordHasher", "pbkdf2_sha256", func(c djangoCosts) Hasher { return PBKDF2SHA256(c.iterations) }},
		{"PBKDF2SHA1PasswordHasher", "pbkdf2_sha1", func(c djangoCosts) Hasher { return PBKDF2SHA1(c.iterations) }},
		{"Argon2PasswordHasher", "argon2", func(djangoCosts) Hasher { return Argon2(DjangoArgon2()) }},
		{"BCryptSHA256PasswordHasher", "bcrypt_sha256", func(djangoCosts) Hasher { return BCryptSHA256(0) }},
		{"ScryptPasswordHasher", "scrypt", func(c djangoCosts) Hasher { return Scrypt(ScryptParams{P: c.scryptP}) }},
		{"BCryptPasswordHasher", "bcrypt", func(djangoCosts) Hasher { return BCrypt(0) }},
		{"MD5PasswordHasher", "md5", func(djangoCosts) Hasher { return MD5() }},
	}
}

// djangoDefaults is Django's own PASSWORD_HASHERS.
func djangoDefaults() []string {
	var names []string
	for _, c := range djangoClasses()[:5] {
		names = append(names, djangoModule+c.name)
	}
	return names
}

const djangoModule = "django.contrib.auth.hashers."
