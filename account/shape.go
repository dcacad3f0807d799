package account

import "github.com/cardea-go/cardea/auth"

// A Shape is how the accounts of a store differ from those of Django's own user model. The zero value is no difference.
type Shape struct {
	// NameIsEmail says that the user name is the e-mail address.
	NameIsEmail bool
	// FreeName says that a user name may hold any characters.
	FreeName bool
	// NameLength is how many characters a user name has at most; 0 is auth.MaxUsername.
	NameLength int
	// WithoutEmail says that accounts have no e-mail address, so that no mail reaches their owners.
	WithoutEmail bool
	// WithoutNames says that accounts have no first and last name.
	WithoutNames bool
	// Missing are fields that a new account needs and that nothing here can fill.
	Missing []string
}

// Shape returns how the accounts of this service are.
func (s *Service) Shape() Shape { return s.tables.Shape }

func (s Shape) nameLength() int {
	if s.NameLength == 0 {
		return auth.MaxUsername
	}
	return s.NameLength
}
