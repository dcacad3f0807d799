package respond

import "runtime"

// IsApp is isApp, by a function's name and file.
func IsApp(function, file string) bool { return isApp(runtime.Frame{Function: function, File: file}) }
