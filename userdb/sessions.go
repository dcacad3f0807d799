package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A SessionsConfig configures [DB.Sessions].
type SessionsConfig struct {
	// HashKeys stores a hash of each key, see sessions.HashKey, so that a copy of the database opens no session. Sessions that
	// are shared with Django need the key as it is. Defaults to the key as it is.
	HashKeys bool
	// Users is the table that sessions belong to, [DB.Users] or a [Table] of the site's own: each session is then loaded
	// together with its user, in one statement. [UsersOf] names a table whose rows the site reads itself. Defaults to no table:
	// the store then does not know whose a session is.
	Users UserTable
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger hears of sessions whose signature is wrong. Defaults to slog.Default().
	Logger *slog.Logger
}

// A SessionStore keeps sessions in Django's django_session, written as Django's own engine for databases writes them; what
// Django has no column for is in cardea_session. It is a [sessions.Store] with all the abilities that package names.
type SessionStore struct {
	db    *DB
	codec *sessions.Codec
	cfg   SessionsConfig
	loads [wishes]string
	ended func(ctx context.Context, keys []string)

	mu       sync.Mutex
	prepared [wishes]*sql.Stmt
	rows     sync.Pool
}

var (
	_ sessions.Store   = (*SessionStore)(nil)
	_ sessions.Sweeper = (*SessionStore)(nil)
	_ sessions.Toucher = (*SessionStore)(nil)
	_ sessions.Tracer  = (*SessionStore)(nil)
	_ sessions.Matcher = (*SessionStore)(nil)
)

// Sessions returns the store of sessions. A Django site that shares them uses the engine django.contrib.sessions.backends.db; where its
// engine is cached_db, package sessions/cached has to stand before this store.
func (db *DB) Sessions(codec *sessions.Codec, cfg SessionsConfig) *SessionStore {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &SessionStore{db: db, codec: codec, cfg: cfg}
	d := db.dialect
	for w := range wishes {
		columns, join := "", ""
		if cfg.Users != nil {
			if list := cfg.Users.joinedColumns("u."); list != "" {
				key := "u." + d.ident(cfg.Users.keyColumn())
				columns, join = ", "+list+cfg.Users.alongColumns(key, w), " LEFT JOIN "+d.ident(cfg.Users.Name())+" u ON "+key+" = c.user_id"
			}
		}
		s.loads[w] = d.bind("SELECT s.session_key, s.session_data, " + d.timeColumn("s.expire_date") + ", " + d.timeColumn("c.created_at") + ", " +
			d.timeColumn("c.last_seen") + ", c.user_id, c.address, c.user_agent" + columns + " FROM django_session s LEFT JOIN cardea_session c ON c.session_key = s.session_key" + join +
			" WHERE s.session_key = ? AND s.expire_date > ?")
	}
	return s
}

// OnEnd has ended called with the keys of sessions, as the database holds them, after Delete, End, EndAll, EndID or EndEvery has ended
// those; what they were rotated into is among them. It is for who keeps copies of sessions elsewhere. Call it before the store is
// used.
func (s *SessionStore) OnEnd(ended func(ctx context.Context, keys []string)) { s.ended = ended }

// tell calls what OnEnd was given.
func (s *SessionStore) tell(ctx context.Context, keys []string) {
	if s.ended != nil && len(keys) > 0 {
		s.ended(ctx, keys)
	}
}

// UsersOf names a table of users that the site reads itself, through an auth.Users of its own: for MigrateOptions and
// SessionsConfig. Its key is a column id, of any type.
func UsersOf(table string) UserTable { return foreignUsers(table) }

type foreignUsers string

func (f foreignUsers) Name() string                { return string(f) }
func (f foreignUsers) keyColumn() string           { return "id" }
func (f foreignUsers) plain() bool                 { return true }
func (f foreignUsers) active(bool) (string, []any) { return "1 = 1", nil }
func (f foreignUsers) extraColumns() []column      { return nil }
func (f foreignUsers) joinedColumns(string) string { return "" }
func (f foreignUsers) joinedRow() joinedRow        { return nil }

func (f foreignUsers) alongColumns(string, wish) string { return "" }

// A joinedRow scans the user that a session was joined with.
type joinedRow interface {
	dests() []any
	attached(*standing) any // the user, or nil
}

func (t *Table[T]) joinedColumns(prefix string) string { return t.columnList(prefix) }

func (t *Table[T]) joinedRow() joinedRow { return t.reader() }

func (r *rowReader[T]) dests() []any { return r.dest }

func (r *rowReader[T]) attached(s *standing) any {
	if u, ok := r.user(); ok {
		r.table.record(u).standing = s
		return u
	}
	return nil
}

// A sessionRow scans what Load asks for. It is used again and again.
type sessionRow struct {
	key, data              string
	expires, created, seen stamp
	owner, address, agent  sql.NullString
	user                   joinedRow
	along                  along
	dest                   []any // for the plain statement
}

func (s *SessionStore) row() *sessionRow {
	if r, ok := s.rows.Get().(*sessionRow); ok {
		return r
	}
	r := &sessionRow{}
	r.dest = []any{&r.key, &r.data, &r.expires, &r.created, &r.seen, &r.owner, &r.address, &r.agent}
	if s.cfg.Users != nil {
		if r.user = s.cfg.Users.joinedRow(); r.user != nil {
			r.dest = append(r.dest, r.user.dests()...)
		}
	}
	return r
}

// Load implements [sessions.Store]: one statement for the session, what is known of it, and its user.
func (s *SessionStore) Load(ctx context.Context, key string) (sessions.Record, error) {
	id, ok := s.stored(key)
	if !ok {
		return sessions.Record{}, notFound(ctx, "load")
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r := s.row()
	defer s.rows.Put(r)
	w := wishOf(ctx)
	if r.user == nil {
		w = plainly
	}
	switch err := s.scan(ctx, r, w, id, s.db.dialect.time(s.cfg.Now())); {
	case errors.Is(err, sql.ErrNoRows):
		return sessions.Record{}, sessions.ErrNotFound
	case err != nil:
		return sessions.Record{}, s.db.dialect.failed("load a session", err)
	case r.key != id: // the database forgives case and trailing blanks
		return sessions.Record{}, sessions.ErrNotFound
	}
	data, err := s.codec.Decode(r.data)
	if err != nil { // as in Django: the session goes on, without data
		s.cfg.Logger.WarnContext(ctx, "userdb: a session's data cannot be read", "error", err)
		data = sessions.Data{}
	}
	rec := sessions.Record{
		Data: data, Expires: r.expires.Time, Version: r.data, Created: r.created.Time, Seen: r.seen.Time,
		Owner:  s.db.dialect.djangoID(r.owner.String),
		Client: sessions.Client{Address: r.address.String, UserAgent: r.agent.String},
	}
	if r.user != nil {
		brought, err := r.along.standing(w)
		if err != nil {
			return sessions.Record{}, s.db.dialect.failed("load a session", err)
		}
		rec.Attached = r.user.attached(brought)
	}
	return rec, nil
}

// scan runs the statement of Load, prepared where that saves work: PostgreSQL's drivers keep their own, and a pooler between
// may not stand ours.
func (s *SessionStore) scan(ctx context.Context, r *sessionRow, w wish, args ...any) error {
	dest := r.dest
	if w != plainly {
		dest = append(dest[:len(dest):len(dest)], r.along.dests(w)...)
	}
	if s.db.pool == nil || s.db.dialect == PostgreSQL {
		return s.db.q.QueryRowContext(ctx, s.loads[w], args...).Scan(dest...)
	}
	stmt, err := s.statement(ctx, w)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

func (s *SessionStore) statement(ctx context.Context, w wish) (*sql.Stmt, error) {
	s.mu.Lock()
	stmt := s.prepared[w]
	s.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := s.db.pool.PrepareContext(ctx, s.loads[w])
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared[w] != nil { // another request was faster
		defer stmt.Close()
		return s.prepared[w], nil
	}
	s.prepared[w] = stmt
	return stmt, nil
}

// stored returns what the database keeps for a key, and false for a key that it cannot hold.
func (s *SessionStore) stored(key string) (string, bool) {
	if s.cfg.HashKeys {
		return sessions.HashKey(key), true
	}
	return key, len(key) <= 40 && storable(key)
}

// notFound is ErrNotFound for a key that needs no look at the database; a context that has ended comes first all the same.
func notFound(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("userdb: %s a session: %w", op, err)
	}
	return sessions.ErrNotFound
}

// djangoID turns a key as a database keeps it into Django's text: UUIDs get their hyphens back.
func (d *Dialect) djangoID(id string) string {
	if !d.hexUUID || len(id) != 32 || !isHex(id) {
		return id
	}
	return hyphened(id)
}

// ownerID turns an id in Django's text into a parameter.
func (d *Dialect) ownerID(id string) any {
	if id == "" {
		return nil
	}
	if d.hexUUID && len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		if hex := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]; isHex(hex) {
			return hex
		}
	}
	return id
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
