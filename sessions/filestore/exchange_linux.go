package filestore

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exchange swaps two files, both of which have to exist, in one step. A file system that cannot is errors.ErrUnsupported.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if err == unix.EINVAL || err == unix.ENOSYS { //nolint:errorlint // an errno as it is
		return errors.ErrUnsupported
	}
	return err
}
