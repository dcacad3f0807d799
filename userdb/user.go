package userdb

import (
	"strconv"
	"strings"
	"time"
)

// A User is one row of Django's auth_user. A site with a user type of its own embeds it; see [NewTable].
type User struct {
	ID          int64      // the primary key, where that is a number
	Key         string     // the primary key, where that is a UUID, in Django's text; see TableConfig.Key
	Password    string     // encoded, see package password; "" or unusable when the user has none
	LastLogin   *time.Time // nil: never
	IsSuperuser bool       // has every permission
	Username    string     // at most 150 characters, unique
	FirstName   string
	LastName    string
	Email       string // may be empty, and is not unique
	IsStaff     bool   // may use the administration
	IsActive    bool   // false: may not log in
	DateJoined  time.Time

	standing *standing // what came along; see perm.Prefetch
}

// AuthID returns the primary key as Django writes it into sessions.
func (u *User) AuthID() string {
	if u.Key != "" {
		return u.Key
	}
	return strconv.FormatInt(u.ID, 10)
}

// PasswordHash returns the encoded password.
func (u *User) PasswordHash() string { return u.Password }

// Active reports whether the user may log in.
func (u *User) Active() bool { return u.IsActive }

// Superuser reports whether the user has every permission.
func (u *User) Superuser() bool { return u.IsSuperuser }

// Name returns the first and last name, or the user name of someone who has neither.
func (u *User) Name() string {
	if full := strings.TrimSpace(u.FirstName + " " + u.LastName); full != "" {
		return full
	}
	return u.Username
}

// Base returns the User itself: of a type that embeds User, the part that Django knows.
func (u *User) Base() *User { return u }

// A NewUser is what a user is made from. Only the user name is required.
type NewUser struct {
	Username     string // normalised, see [NormalizeUsername]
	Email        string // normalised, see [NormalizeEmail]
	PasswordHash string // encoded, from password.Hashers.Make. Defaults to one that no password opens
	FirstName    string
	LastName     string
	IsStaff      bool
	IsSuperuser  bool
	Inactive     bool      // may not log in
	Joined       time.Time // Defaults to now
}
