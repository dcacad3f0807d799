package cardea

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for a Config where somebody prints it: it holds the secret key. "cardea config" shows one setting by setting.
const redacted = "cardea.Config (redacted)"

// Format hides the Config, whatever the verb.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the Config.
func (Config) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the Config, from encoding/json and its like too.
func (Config) MarshalText() ([]byte, error) { return []byte(redacted), nil }
