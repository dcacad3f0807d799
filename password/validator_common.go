package password

import "context"

// CommonPassword refuses the passwords of a set: a [List], or [NewCommon] for nil. It is Django's CommonPasswordValidator; with Django's
// own list, see [OpenList], the answers are Django's too.
func CommonPassword(known Set) Validator {
	if list, ok := known.(*List); known == nil || ok && list == nil {
		known = NewCommon()
	}
	return Refuse(known, Problem{Code: "password_too_common", Message: "This password is too common."},
		"Your password can’t be a commonly used password.")
}

// Refuse returns a rule that refuses the passwords of a set. The help may be empty.
func Refuse(known Set, why Problem, help string) Validator { return &refuse{known, why, help} }

type refuse struct {
	known Set
	why   Problem
	help  string
}

func (r *refuse) Validate(_ context.Context, password string, _ About) error {
	if !r.known.Has(password) {
		return nil
	}
	why := r.why
	return &why
}

func (r *refuse) Help() string { return r.help }
