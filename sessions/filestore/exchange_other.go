//go:build !linux

package filestore

import "errors"

// exchange swaps two files in one step, which only Linux can.
func exchange(string, string) error { return errors.ErrUnsupported }
