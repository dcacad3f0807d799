package password_test

import (
	"context"
	"fmt"

	"github.com/cardea-go/cardea/password"
)

func Example() {
	hashers, err := password.New(password.Config{
		Hashers: []password.Hasher{
			password.Argon2(password.Argon2Params{}), // writes
			password.PBKDF2SHA256(0),                 // reads what Django wrote
		},
		EqualWork: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	stored, err := hashers.Make(ctx, "correct horse battery staple")
	if err != nil {
		fmt.Println(err)
		return
	}
	ok, upgrade, err := hashers.Check(ctx, "correct horse battery staple", stored)
	fmt.Println(ok, upgrade, err)
	ok, _, err = hashers.Check(ctx, "Tr0ub4dor&3", stored)
	fmt.Println(ok, err)
	// Output:
	// true false <nil>
	// false <nil>
}

func ExampleContext() {
	rules := password.Validators{password.Context("Analytical Engine")}
	for _, chosen := range []string{"eng1ne-ada-1815", "ada likes porridge"} {
		err := rules.Validate(context.Background(), chosen, password.About{Username: "ada"})
		fmt.Println(chosen, "is good:", err == nil)
	}
	// Output:
	// eng1ne-ada-1815 is good: false
	// ada likes porridge is good: true
}
