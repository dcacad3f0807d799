package signing_test

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/cardea-go/cardea/signing"
)

// A link that works for an hour: what it holds can be read by everybody and changed by nobody.
func Example() {
	signer, err := signing.NewTimestampSigner(signing.Keys{Current: "a-long-random-secret"}, signing.SignerConfig{Salt: "unsubscribe"})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Unix(1767323045, 0)
	token := signer.Sign("ada@example.com", now)
	fmt.Println(token)

	address, err := signer.Unsign(token, time.Hour, now.Add(30*time.Minute))
	fmt.Println(address, err)

	_, err = signer.Unsign(token, time.Hour, now.Add(2*time.Hour))
	var expired *signing.ExpiredError
	fmt.Println(errors.As(err, &expired), err)

	_, err = signer.Unsign("eve"+token, time.Hour, now)
	fmt.Println(errors.Is(err, signing.ErrBadSignature), err)
	// Output:
	// ada@example.com:1vbVSP:zcavXHUw2Tpj8oko6HW54Bc-a92qoaknNVyQ99h4nrQ
	// ada@example.com <nil>
	// true signing: signature age 2h0m0s > 1h0m0s
	// true signing: bad signature
}

// JSON, signed as Django's signing.dumps does it.
func ExampleTimestampSigner_Dumps() {
	signer, err := signing.NewTimestampSigner(signing.Keys{Current: "a-long-random-secret"}, signing.SignerConfig{Salt: "django.core.signing"})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Unix(1767323045, 0)
	text, err := signer.Dumps([]byte(`{ "name": "Zoë", "scores": [1, 2.0] }`), true, now)
	fmt.Println(text, err)

	raw, err := signer.Loads(text, 0, now)
	fmt.Println(string(raw), err)
	// Output:
	// eyJuYW1lIjoiWm9cdTAwZWIiLCJzY29yZXMiOlsxLDIuMF19:1vbVSP:5YERqQ6EaTQ4kCuTGU-Hu98eIMIJVU1JRG9p9r6s10w <nil>
	// {"name":"Zo\u00eb","scores":[1,2.0]} <nil>
}
