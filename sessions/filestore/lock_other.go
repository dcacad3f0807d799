//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package filestore

import "os"

const plainFlags = 0

// tryLock has no lock between processes here: one process may write in the folder.
func tryLock(*os.File) error { return nil }
