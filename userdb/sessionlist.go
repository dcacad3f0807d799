package userdb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A StoredSession is a live session as those see it who look after a site. Nothing in it opens the session.
type StoredSession struct {
	ID      string // to name it by: a hash of what the database holds
	Owner   string // the id of the user who is logged in, or ""
	Django  bool   // Django made it: when it began, and where, is not known
	Created time.Time
	Seen    time.Time // to within a few minutes; zero when not known
	Expires time.Time
	Client  sessions.Client

	key  string // as the database holds it
	text string // the data as the database holds it, where that was asked for
}

// sessionPage is how many sessions one statement reads.
const sessionPage = 500

// Live ranges over all live sessions, the one that expires last first. It reads some at a time; sessions that begin or go on
// meanwhile may be missing. Whose a session is that Django made stands in its signed data.
func (s *SessionStore) Live(ctx context.Context) iter.Seq2[StoredSession, error] {
	return func(yield func(StoredSession, error) bool) {
		where, args := "", []any(nil)
		for {
			page, last, err := s.page(ctx, false, where, "s.expire_date DESC, s.session_key", args)
			if err != nil {
				yield(StoredSession{}, s.failed("list", err))
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if len(page) < sessionPage {
				return
			}
			where = "(s.expire_date < ? OR s.expire_date = ? AND s.session_key > ?)"
			args = []any{last, last, page[len(page)-1].key}
		}
	}
}

// Of returns the live sessions of the user with this id, the one seen last first, then those of which that is not known. It
// reads the data of every session that has no owner in our own table, which are those of visitors who are not logged in and
// those that Django made.
func (s *SessionStore) Of(ctx context.Context, owner string) ([]StoredSession, error) {
	return s.of(ctx, owner, false)
}

func (s *SessionStore) of(ctx context.Context, owner string, whole bool) ([]StoredSession, error) {
	var list []StoredSession
	err := s.each(ctx, owner, whole, func(found []StoredSession) error {
		list = append(list, found...)
		return nil
	})
	slices.SortFunc(list, func(a, b StoredSession) int {
		return cmp.Or(b.Seen.Compare(a.Seen), b.Expires.Compare(a.Expires), strings.Compare(a.key, b.key))
	})
	return slices.CompactFunc(list, func(a, b StoredSession) bool { return a.key == b.key }), s.failed("list", err)
}

// each calls f with the live sessions of a user, some at a time. A session that is rotated meanwhile is found under one of its
// keys: in our own table by one statement, and else among those rotated lately. whole reads the data of all of them.
func (s *SessionStore) each(ctx context.Context, owner string, whole bool, f func(found []StoredSession) error) error {
	if owner == "" {
		return nil
	}
	d := s.db.dialect
	theirs := func(page []StoredSession) error {
		return f(slices.DeleteFunc(page, func(one StoredSession) bool { return one.Owner != owner }))
	}
	if s.cfg.Users != nil {
		found, _, err := s.query(ctx, whole, "c.user_id = ?", "", []any{d.ownerID(owner)})
		if err == nil {
			err = theirs(found)
		}
		if err != nil {
			return err
		}
	}
	where, args := "c.user_id IS NULL", []any(nil)
	for {
		page, _, err := s.page(ctx, whole, where, "s.session_key", args)
		if err != nil {
			return err
		}
		n, last := len(page), ""
		if n > 0 {
			last = page[n-1].key
		}
		if err := theirs(page); err != nil {
			return err
		}
		if n < sessionPage {
			break
		}
		where, args = "c.user_id IS NULL AND s.session_key > ?", []any{last}
	}
	found, _, err := s.query(ctx, whole, "c.user_id IS NULL AND s.session_key IN (SELECT new_key FROM cardea_rotated WHERE rotated_at > ?)", "",
		[]any{d.time(s.cfg.Now().Add(-sessions.Grace))})
	if err != nil {
		return err
	}
	return theirs(found)
}

// page is query for the first of those sessions.
func (s *SessionStore) page(ctx context.Context, whole bool, where, order string, args []any) ([]StoredSession, any, error) {
	return s.query(ctx, whole, where, " ORDER BY "+order+" LIMIT ?", append(slices.Clone(args), sessionPage))
}

// query returns the live sessions that meet a condition, and the expire_date of the last one as it is in the database.
func (s *SessionStore) query(ctx context.Context, whole bool, where, end string, args []any) (list []StoredSession, last any, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	if where != "" {
		where = " AND (" + where + ")"
	}
	text := "CASE WHEN c.user_id IS NULL THEN s.session_data ELSE '' END"
	if whole {
		text = "s.session_data"
	}
	err = s.db.each(ctx, "SELECT s.session_key, "+d.timeColumn("s.expire_date")+", "+text+", "+
		d.timeColumn("c.created_at")+", "+d.timeColumn("c.last_seen")+", c.user_id, c.address, c.user_agent "+
		"FROM django_session s LEFT JOIN cardea_session c ON c.session_key = s.session_key WHERE s.expire_date > ?"+where+end,
		append([]any{d.time(s.cfg.Now())}, args...), func(scan func(...any) error) error {
			var (
				one                   StoredSession
				data                  string
				expires               rawStamp
				created, seen         stamp
				owner, address, agent sql.NullString
			)
			if err := scan(&one.key, &expires, &data, &created, &seen, &owner, &address, &agent); err != nil {
				return err
			}
			one.ID, one.Django = publicID(one.key), !created.Valid
			one.Created, one.Seen, one.Expires = created.Time, seen.Time, expires.Time
			one.Client = sessions.Client{Address: address.String, UserAgent: agent.String}
			if owner.Valid {
				one.Owner = d.djangoID(owner.String)
			} else {
				one.Owner = s.ownerIn(data)
			}
			if whole {
				one.text = data
			}
			list, last = append(list, one), expires.raw
			return nil
		})
	return list, last, err
}

// ownerIn returns the user whom a session's data log in, or "". What cannot be read logs nobody in.
func (s *SessionStore) ownerIn(text string) string {
	if s.codec == nil {
		return ""
	}
	data, err := s.codec.Decode(text)
	if err != nil {
		return ""
	}
	raw, ok := data.Get("_auth_user_id")
	if !ok {
		return ""
	}
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	return strings.TrimSpace(string(raw)) // a number, from before Django wrote texts
}

// publicID names a session, by 60 bits of a hash.
func publicID(key string) string { return sessions.HashKey("session " + key)[:12] }

// A rawStamp is a stamp that keeps what the database gave, to compare it with again.
type rawStamp struct {
	stamp
	raw any
}

// Scan implements sql.Scanner.
func (r *rawStamp) Scan(v any) error {
	r.raw = v
	if b, ok := v.([]byte); ok {
		r.raw = string(b)
	}
	return r.stamp.Scan(v)
}
