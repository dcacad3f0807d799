package smtpmail_test

import (
	"fmt"

	"github.com/cardea-go/cardea/mail/smtpmail"
)

// A server elsewhere is reached with encryption, or not at all; a password never goes in the clear.
func Example() {
	_, err := smtpmail.New(smtpmail.Config{Host: "smtp.example.com", Username: "site", Password: "from the environment", From: "Site <site@example.com>"})
	fmt.Println(err)
	_, err = smtpmail.New(smtpmail.Config{Host: "smtp.example.com", Username: "site", Password: "from the environment", TLS: smtpmail.Insecure})
	fmt.Println(err)
	// Output:
	// <nil>
	// smtpmail: smtp.example.com: the password would be sent in the clear: use StartTLS or Implicit
}
