package tokenauth

import (
	"fmt"

	"github.com/cardea-go/cardea/perm"
)

// CheckScopes reports which of the scopes of a new token its owner does not have, as an *[Invalid]. It would be a token that begins to
// work by itself, some day, when nobody remembers it.
func CheckScopes(owner *perm.Perms, scopes []string) error {
	listed, err := owner.All()
	if err != nil {
		return err
	}
	for _, scope := range scopes {
		if scope == All || listed.Has(scope) {
			continue
		}
		has := false
		if !owner.Subject().Superuser { // who has everything, also what there is not
			if has, err = owner.Has(scope); err != nil {
				return err
			}
		}
		if !has {
			return &Invalid{Field: "scopes", Text: fmt.Sprintf("The account does not have the permission %s.", scope)}
		}
	}
	return nil
}
