package sessions

const (
	testCookieKey   = "testcookie"
	testCookieValue = "worked"
)

// SetTestCookie sets a value by which a later request can tell that the browser keeps cookies.
func (s *Session) SetTestCookie() error { return Key[string](testCookieKey).Set(s, testCookieValue) }

// TestCookieWorked reports whether the browser brought back what SetTestCookie set.
func (s *Session) TestCookieWorked() bool {
	v, ok := Key[string](testCookieKey).Get(s)
	return ok && v == testCookieValue
}

// DeleteTestCookie removes it.
func (s *Session) DeleteTestCookie() error { return s.Delete(testCookieKey) }
