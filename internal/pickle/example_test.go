package pickle_test

import (
	"fmt"

	"github.com/cardea-go/cardea/internal/pickle"
)

func Example() {
	session, err := pickle.FromJSON([]byte(`{"_auth_user_id":"1","visits":3}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := pickle.Marshal(session)
	fmt.Printf("%q %v\n", b, err)

	back, err := pickle.Unmarshal(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := pickle.ToJSON(back)
	fmt.Println(string(text), err)

	_, err = pickle.Unmarshal([]byte("cos\nsystem\n(V/bin/true\ntR."))
	fmt.Println(err)
	// Output:
	// "\x80\x05\x95$\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\r_auth_user_id\x94\x8c\x011\x94\x8c\x06visits\x94K\x03u." <nil>
	// {"_auth_user_id":"1","visits":3} <nil>
	// pickle: opcode 0x63 at byte 0 is not allowed
}
