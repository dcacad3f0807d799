package password

import (
	"fmt"
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
		names = []string{
			djangoModule + "PBKDF2PasswordHasher",
			djangoModule + "PBKDF2SHA1PasswordHasher",
			djangoModule + "Argon2PasswordHasher",
			djangoModule + "BCryptSHA256PasswordHasher",
			djangoModule + "ScryptPasswordHasher",
		}
	}
	hashers := make([]Hasher, 0, len(names))
	for _, name := range names {
		switch name {
		case djangoModule + "PBKDF2PasswordHasher":
			hashers = append(hashers, PBKDF2SHA256(costs.iterations))
		case djangoModule + "PBKDF2SHA1PasswordHasher":
			hashers = append(hashers, PBKDF2SHA1(costs.iterations))
		case djangoModule + "Argon2PasswordHasher":
			hashers = append(hashers, Argon2(DjangoArgon2()))
		case djangoModule + "BCryptSHA256PasswordHasher":
			hashers = append(hashers, BCryptSHA256(0))
		case djangoModule + "BCryptPasswordHasher":
			hashers = append(hashers, BCrypt(0))
		case djangoModule + "ScryptPasswordHasher":
			hashers = append(hashers, Scrypt(ScryptParams{P: costs.scryptP}))
		case djangoModule + "MD5PasswordHasher":
			hashers = append(hashers, MD5())
		default:
			return nil, fmt.Errorf("password: hasher %q is not one of Django 5.2's; write it as a password.Hasher, or take it off the list", name)
		}
	}
	return hashers, nil
}

const djangoModule = "django.contrib.auth.hashers."
