package password

// A Policy is what [DefaultValidators] may be told.
type Policy struct {
	// MinLength is the fewest characters. Defaults to 8. Where a password is the only factor, 15 are advised.
	MinLength int
	// Words are names that everybody knows here: of the site, its host, its owner.
	Words []string
	// Breached holds passwords known from breaches, such as a [Filter]. Defaults to none.
	Breached Set
}

// DefaultValidators are the rules of Cardea: a length, nothing of what is known about the person and the site, no common
// password, none that was found in a breach. As OWASP ASVS 5.0 (V6.2) and NIST SP 800-63B-4 ask, there are no rules about kinds of characters:
// long passwords of one kind, blanks and any script are welcome.
func DefaultValidators(p Policy) Validators {
	if p.MinLength == 0 {
		p.MinLength = 8
	}
	common := NewCommon()
	rules := Validators{
		Length(p.MinLength, 0),
		newContext(common, p.Words),
		Refuse(simplified{common}, Problem{
			Code: "password_too_common",
			Message: "This password is one of the first that others try: a common word, name, date or row of keys, with little beside it. " +
				"Use several words that have nothing to do with each other, or let a password manager make one.",
		}, "A single word with a number behind it is guessed at once."),
	}
	if p.Breached != nil {
		rules = append(rules, Refuse(p.Breached, Problem{
			Code: "password_breached",
			Message: "This password is known from a breach of some site, so that others try it. " +
				"Use another one, and change it wherever you have used it.",
		}, ""))
	}
	return rules
}

// simplified also asks for the password without accents and in plain characters.
type simplified struct{ set Set }

func (s simplified) Has(password string) bool {
	return s.set.Has(password) || s.set.Has(simplify(password))
}
