package userdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

// An IdentityPolicy says how somebody whom an outside issuer has proven becomes a user of this site. The zero value lets in only
// those who have linked that identity to their account.
//
// The rules, whatever a policy says:
//
//  1. A user is known by issuer and subject, byte for byte, and by nothing else once they are stored: another name or address at
//     the issuer changes nothing about who it is.
//  2. A user who is not active stays out, and is neither changed nor adopted.
//  3. An address is stored only if the issuer has verified it and no other user has it.
//  4. A user who was made has no password.
type IdentityPolicy struct {
	// Issuer is the Issuer of the identities that this is about.
	Issuer string

	// Create makes a user for somebody unknown.
	Create bool

	// MatchUsername says that the issuer owns the user names, as a company's directory does: who is unknown adopts the local user of
	// that name, if there is one, and nobody gets another name than the issuer's. Whoever controls the issuer can become
	// anybody here. A user who has an identity of the same issuer, or of one that does not own the names, is not adopted.
	//
	// Whoever made the local account beforehand must not keep a key to it: its password, sessions and mailed links end when it is
	// adopted, and its address becomes the issuer's. KeepAccess leaves them, for sites where nobody can choose a name.
	MatchUsername bool
	KeepAccess    bool

	// MatchVerifiedEmail adopts the one local user who has the address that the issuer says it has verified, unless that user is staff,
	// a superuser, or has an identity of the same issuer. Nothing in Django's tables tells whether the address of a user was
	// ever verified, so this takes LocalEmailsVerified as well: the site's word that all of them are.
	MatchVerifiedEmail  bool
	LocalEmailsVerified bool

	// Update takes the names and the address from the issuer at each login. Names are the claims given_name and family_name.
	Update bool

	// MirrorGroups makes the user's groups those of the identity at each login, making groups that are missing. MirrorOnly
	// narrows that to the groups named; MirrorExcept leaves those named alone. An identity that names no groups has none.
	MirrorGroups             bool
	MirrorOnly, MirrorExcept []string

	// StaffGroups and SuperuserGroups are groups of the identity whose members are staff or superusers; others lose it at the next
	// login. nil leaves it as it is.
	StaffGroups, SuperuserGroups []string
}

// WithIdentities returns the same table with policies, one for each issuer. A table with a ByIdentity of its own takes none.
func (t *Table[T]) WithIdentities(policies ...IdentityPolicy) (*Table[T], error) {
	if t.byIdentity != nil && len(policies) > 0 {
		return nil, errors.New("userdb: this table has a ByIdentity of its own, which no policy can change")
	}
	byIssuer := map[string]IdentityPolicy{}
	for _, p := range policies {
		if err := p.Check(); err != nil {
			return nil, err
		}
		if _, twice := byIssuer[p.Issuer]; twice {
			return nil, fmt.Errorf("userdb: two policies for the issuer %q", p.Issuer)
		}
		byIssuer[p.Issuer] = p
	}
	with := *t
	with.policies = byIssuer
	return &with, nil
}

// Check refuses a policy that cannot be meant.
func (p IdentityPolicy) Check() error {
	switch err := checkIdentity(&auth.Identity{Issuer: p.Issuer, Subject: "x"}); {
	case err != nil:
		return fmt.Errorf("userdb: a policy for identities: %w", err)
	case p.MatchVerifiedEmail && !p.LocalEmailsVerified:
		return fmt.Errorf("userdb: the policy for %q adopts users by their address, and nothing tells that the addresses of this site were verified: "+
			"set LocalEmailsVerified if all of them were, or leave MatchVerifiedEmail out", p.Issuer)
	case p.KeepAccess && !p.MatchUsername:
		return fmt.Errorf("userdb: the policy for %q has KeepAccess, which says something about MatchUsername only", p.Issuer)
	case !p.MirrorGroups && (p.MirrorOnly != nil || p.MirrorExcept != nil):
		return fmt.Errorf("userdb: the policy for %q names groups to mirror, or not to, without MirrorGroups", p.Issuer)
	case p.MirrorOnly != nil && p.MirrorExcept != nil:
		return fmt.Errorf("userdb: the policy for %q has both MirrorOnly and MirrorExcept: one of them says it all", p.Issuer)
	}
	return nil
}

// provision finds the user of an identity, or makes or adopts one where a policy says so, in one transaction.
func (t *Table[T]) provision(ctx context.Context, id *auth.Identity) (*T, error) {
	const op = "user by identity"
	if err := checkIdentity(id); err != nil {
		return nil, fmt.Errorf("userdb: %s: %w (%w)", op, auth.ErrNoUser, err)
	}
	policy, listed := t.policies[id.Issuer]
	var user *T
	err := t.insisting(ctx, func(ctx context.Context, in *Table[T]) (err error) {
		known, err := in.db.identity(ctx, id)
		switch {
		case err == nil:
			user, err = in.locked(ctx, known.User)
			if err != nil || !in.record(user).IsActive {
				return err
			}
			return in.seen(ctx, user, policy, id, known.ID)
		case !errors.Is(err, ErrNoIdentity):
			return err
		case !listed:
			return auth.ErrNoUser
		}
		if user, err = in.newcomer(ctx, policy, id); errors.Is(err, auth.ErrDenied) {
			if _, now := in.db.identity(ctx, id); now == nil { // what is in the way is the same person, who came by another process
				return errMeanwhile
			}
		}
		return err
	})
	if err != nil {
		return nil, t.db.dialect.failed(op, err)
	}
	return user, nil
}

// newcomer adopts or makes the user of an identity that is not known yet.
func (t *Table[T]) newcomer(ctx context.Context, p IdentityPolicy, id *auth.Identity) (*T, error) {
	for _, find := range [...]func(context.Context, IdentityPolicy, *auth.Identity) (*T, error){t.byOwnedName, t.byVerifiedEmail} {
		switch u, err := find(ctx, p, id); {
		case errors.Is(err, auth.ErrNoUser):
		case err != nil || !t.record(u).IsActive:
			return u, err
		default:
			return u, t.welcome(ctx, u, p, id)
		}
	}
	if !p.Create {
		return nil, auth.ErrNoUser
	}
	name, err := t.newName(ctx, p, id)
	if err != nil {
		return nil, err
	}
	u := new(T)
	rec := t.record(u)
	rec.Username, rec.IsActive, rec.Password = name, true, password.Unusable()
	if rec.FirstName, rec.LastName, rec.Email, err = t.facts(ctx, rec, id); err != nil {
		return nil, err
	}
	if t.NameIsEmail() {
		if !p.MatchUsername {
			rec.Username = rec.Email
		}
		if rec.Email = rec.Username; rec.Email == "" {
			return nil, fmt.Errorf("the issuer %q vouches for no address that is free, and people here are named by theirs: %w", p.Issuer, auth.ErrDenied)
		}
	}
	t.prune(rec)
	if err := t.Create(ctx, u); err != nil {
		return nil, err
	}
	return u, t.welcome(ctx, u, p, id)
}

// welcome links an identity to its user and does what a login does.
func (t *Table[T]) welcome(ctx context.Context, u *T, p IdentityPolicy, id *auth.Identity) error {
	now := time.Now()
	if err := t.db.addIdentity(ctx, t.key(t.record(u)), id, &now); err != nil {
		return err
	}
	return t.follow(ctx, u, p, id)
}

// byOwnedName finds the local user whom somebody adopts by name, and takes away what others may have of the account.
func (t *Table[T]) byOwnedName(ctx context.Context, p IdentityPolicy, id *auth.Identity) (*T, error) {
	if !p.MatchUsername {
		return nil, auth.ErrNoUser
	}
	name := NormalizeUsername(id.Name)
	u, err := t.ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	if t.record(u).Username != name { // in the eyes of MySQL it is the same
		return nil, auth.ErrNoUser
	}
	if u, err = t.locked(ctx, t.record(u).AuthID()); err != nil || !t.record(u).IsActive {
		return u, err
	}
	rec := t.record(u)
	has, err := t.Identities(ctx, rec.AuthID())
	if err != nil {
		return nil, err
	}
	for _, other := range has {
		if other.Issuer == p.Issuer || !t.policies[other.Issuer].MatchUsername {
			return nil, fmt.Errorf("the user %q has an identity of %q already: %w", rec.Username, other.Issuer, auth.ErrDenied)
		}
	}
	if p.KeepAccess || len(has) > 0 { // who has one got it from an issuer that owns the names, too
		return u, nil
	}
	if err := t.setPassword(ctx, rec, password.Unusable()); err != nil {
		return nil, err
	}
	if _, err := t.endAccess(ctx, rec.AuthID(), nil, nil); err != nil {
		return nil, err
	}
	_, _, email, err := t.facts(ctx, &User{ID: rec.ID, Key: rec.Key}, id)
	if err != nil {
		return nil, err
	}
	return u, t.store(ctx, rec, func(to *User) { to.Email = email })
}

// byVerifiedEmail finds the local user whom somebody adopts by address.
func (t *Table[T]) byVerifiedEmail(ctx context.Context, p IdentityPolicy, id *auth.Identity) (*T, error) {
	if !p.MatchVerifiedEmail || !p.LocalEmailsVerified || !id.EmailVerified {
		return nil, auth.ErrNoUser
	}
	found, err := t.sameEmail(ctx, id.Email)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, auth.ErrNoUser
	}
	u, err := t.locked(ctx, t.record(found[0]).AuthID())
	if err != nil || !t.record(u).IsActive {
		return u, err
	}
	rec := t.record(u)
	if rec.IsStaff || rec.IsSuperuser || !auth.SameIdentifier(rec.Email, NormalizeEmail(id.Email)) {
		return nil, auth.ErrNoUser
	}
	has, err := t.Identities(ctx, rec.AuthID())
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(has, func(i Identity) bool { return i.Issuer == p.Issuer }) {
		return nil, auth.ErrNoUser
	}
	return u, nil
}

func (t *Table[T]) sameEmail(ctx context.Context, address string) ([]*T, error) {
	address = NormalizeEmail(address)
	found, err := t.ByEmail(ctx, address)
	return slices.DeleteFunc(found, func(u *T) bool { return !auth.SameIdentifier(t.record(u).Email, address) }), err
}

// seen notes a login by an identity that is known.
func (t *Table[T]) seen(ctx context.Context, u *T, p IdentityPolicy, id *auth.Identity, row string) error {
	d := t.db.dialect
	_, err := t.db.exec(ctx, "UPDATE cardea_identity SET email = ?, last_used = ? WHERE id = ?", clip(id.Email, 254), d.time(time.Now()), row)
	if err != nil {
		return err
	}
	return t.follow(ctx, u, p, id)
}

// follow brings a user into the state that the issuer says, as far as the policy lets it.
func (t *Table[T]) follow(ctx context.Context, u *T, p IdentityPolicy, id *auth.Identity) error {
	rec := t.record(u)
	want := *rec
	if p.Update {
		first, last, email, err := t.facts(ctx, rec, id)
		if err != nil {
			return err
		}
		if first+last != "" {
			want.FirstName, want.LastName = first, last
		}
		if email != "" {
			want.Email = email
		}
	}
	member := func(of []string) bool {
		return slices.ContainsFunc(of, func(g string) bool { return slices.Contains(id.Groups, g) })
	}
	if p.StaffGroups != nil {
		want.IsStaff = member(p.StaffGroups)
	}
	if p.SuperuserGroups != nil {
		want.IsSuperuser = member(p.SuperuserGroups)
	}
	if err := t.store(ctx, rec, func(to *User) { *to = want }); err != nil {
		return err
	}
	if !p.MirrorGroups {
		return nil
	}
	return t.mirror(ctx, t.key(rec), p, id.Groups)
}

// store changes what an issuer may say of a user, in the table and in rec, if it is not that way already.
func (t *Table[T]) store(ctx context.Context, rec *User, change func(*User)) error {
	want := *rec
	change(&want)
	t.prune(&want)
	if t.NameIsEmail() {
		want.Email = rec.Email // people log in by it
	}
	if want == *rec {
		return nil
	}
	d := t.db.dialect
	var set []string
	var args []any
	names, values := t.writes(&want)
	for i, name := range names {
		if !slices.Contains([]string{t.columns[colUsername], t.columns[colActive], t.columns[colJoined]}, name) {
			set, args = append(set, d.ident(name)+" = ?"), append(args, values[i])
		}
	}
	n, err := t.db.exec(ctx, "UPDATE "+d.ident(t.name)+" SET "+strings.Join(set, ", ")+" WHERE "+t.byKey(), append(args, t.key(rec))...)
	if err == nil && n == 0 {
		err = auth.ErrNoUser
	}
	if err == nil {
		*rec = want
	}
	return err
}

// facts are the names that an issuer gives a user, and the address, which is empty unless the issuer has verified it and no other
// user has it.
func (t *Table[T]) facts(ctx context.Context, rec *User, id *auth.Identity) (first, last, email string, err error) {
	claim := func(name string) string {
		text, _ := id.Claims[name].(string)
		return clip(strings.TrimSpace(text), 150)
	}
	first, last = claim("given_name"), claim("family_name")
	email = NormalizeEmail(id.Email)
	if !id.EmailVerified || len(email) > 254 || !auth.ValidEmail(email) {
		return first, last, "", nil
	}
	others, err := t.sameEmail(ctx, email)
	if slices.ContainsFunc(others, func(u *T) bool { return t.record(u).AuthID() != rec.AuthID() }) {
		email = ""
	}
	return first, last, email, err
}

// newName is the name of a new user: the issuer's, where it owns the names, else one that nobody has.
func (t *Table[T]) newName(ctx context.Context, p IdentityPolicy, id *auth.Identity) (string, error) {
	taken := func(name string) (bool, error) { return accounts[T]{t}.NameTaken(ctx, name) }
	if p.MatchUsername {
		name, err := auth.CleanUsername(id.Name, auth.MaxUsername)
		if err == nil && (name != NormalizeUsername(id.Name) || !storable(name) || strings.ContainsFunc(name, unicode.IsControl)) {
			err = errors.New("the user name has blanks around it, or characters that cannot be shown")
		}
		if err != nil {
			return "", fmt.Errorf("the issuer %q names somebody %.60q: %w (%w)", p.Issuer, id.Name, auth.ErrDenied, err)
		}
		if is, err := taken(name); err != nil || !is {
			return name, err
		}
		return "", fmt.Errorf("the user name %q differs too little from that of another user: %w", name, auth.ErrDenied)
	}
	mailbox, _, _ := strings.Cut(id.Email, "@")
	base := wordOf(id.Name)
	if base == "" {
		base = wordOf(mailbox)
	}
	if base == "" {
		base = "user"
	}
	for n := 1; n <= 100; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if is, err := taken(name); err != nil || !is {
			return name, err
		}
	}
	return "", fmt.Errorf("no name like %q is free: %w", base, auth.ErrDenied)
}

// wordOf makes a user name of what an issuer calls somebody.
func wordOf(text string) string {
	if !storable(text) {
		return ""
	}
	word := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return '.'
		}
		if auth.ValidUsername(string(r)) {
			return r
		}
		return -1
	}, NormalizeUsername(clip(text, 140)))
	return clip(strings.Trim(word, "."), 140)
}
