// Package password hashes and checks passwords exactly as Django 5.2 stores them, and judges new ones.
//
// [Hashers] is an ordered set: the first hasher writes, all of them read. [Hashers.Check] follows Django's check_password:
// it answers whether the password is right and whether the stored text should be written anew. What Django leaves to
// chance is bounded here: how many hashes run at once ([Gate]), what a stored text may cost ([Limits]), and, with
// Config.EqualWork, that every answer costs the same, whoever was asked about.
//
// # Equal work
//
// An attacker who sees that "no such user" comes sooner than "wrong password" can list the users. Django runs the preferred
// hasher once for a user that does not exist, and, for a wrong password, makes up for an older work factor of the
// preferred algorithm. That leaves two differences: users whose hash is of another algorithm, and right passwords.
//
// With Config.EqualWork every [Hashers.Check] and every [Hashers.Decoy] costs as much as the slowest hasher in use. "In use"
// are the hashers that the application lists, at the parameters it lists them with, no more: their number bounds the cost,
// and listing a slow one makes every log-in as slow. A stored hash with an older factor is first brought to the listed
// factor of its own algorithm, by runs of that algorithm; what is then missing to the slowest is filled by PBKDF2
// iterations. So a wrong password for a current hash, an unknown, an inactive and an unusable user cost the same runs of
// the same kinds. Between different algorithms only time can be equal; it is estimated from a short measurement of each,
// taken once, see Config.Speed. A stored hash that costs more than the listed parameters costs what it costs, up to Limits.
//
// # Rules for new passwords
//
// [DefaultValidators] are rules that say what to do: a length, nothing of what is known about the person and the site, nothing
// [Common], nothing in a [Filter] of breached passwords. [ValidatorsFromDjango] makes Django's four, with its codes and sentences, from its
// setting AUTH_PASSWORD_VALIDATORS. A site's own rule is a [Validator].
//
// # What differs from Django
//
// A malformed text of a known algorithm, which raises an exception in Django, is answered false and logged, after the same
// work. Argon2d and Argon2 texts older than version 19 cannot be verified; they are answered false and logged, too.
//
// Nothing in this package prints a password.
package password
