package integration_test

import (
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
