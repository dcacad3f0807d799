package account

import (
	"net/netip"
	"time"
)

// A User is what this package knows of an account.
type User struct {
	ID           string // primary key, as Django writes it
	Username     string
	Email        string // "" when there is none
	FirstName    string
	LastName     string
	PasswordHash string // encoded
	LastLogin    *time.Time
	Active       bool
}

// Asked says when and from where something was asked for, for the mail that tells the owner.
type Asked struct {
	At      time.Time  `json:"at"`
	Address netip.Addr `json:"address,omitzero"`
	Agent   string     `json:"agent,omitempty"` // the browser's own words
}
