package sessions

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for a Session where somebody prints it: its key is a secret, and what it holds is the visitor's business.
const redacted = "sessions.Session (redacted)"

// Format hides the key and the values, whatever the verb.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the key and the values.
func (s *Session) LogValue() slog.Value { return slog.StringValue(redacted) }
