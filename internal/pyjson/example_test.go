package pyjson_test

import (
	"encoding/json"
	"fmt"

	"github.com/cardea-go/cardea/internal/pyjson"
)

func Example() {
	members, err := pyjson.ParseObject([]byte(`{"cart": [{"sku": "A1", "price": 2.50}], "name": "Zoë", "big": 100000000000000000000}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	members = append(members, pyjson.Member{Key: "seen", Value: json.RawMessage("1.0")})
	text, err := pyjson.AppendObject(nil, members, pyjson.CompactStyle)
	fmt.Println(string(text), err)
	// Output: {"cart":[{"sku":"A1","price":2.5}],"name":"Zo\u00eb","big":100000000000000000000,"seen":1.0} <nil>
}
