package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cardea-go/cardea/throttle"
)

func Example() {
	limiter, err := throttle.New(throttle.NewMemory(), throttle.Config{
		Account: throttle.Limit{Tries: 2, Per: time.Minute},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, name := range []string{"ada", "Ada", "ADA"} {
		err := limiter.Try(ctx, name, netip.MustParseAddr("192.0.2.1"))
		fmt.Println(name, errors.Is(err, throttle.ErrLimited))
	}
	// Output:
	// ada false
	// Ada false
	// ADA true
}
