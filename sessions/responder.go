package sessions

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

// What a session does to the response, in this order, as Django's SessionMiddleware.process_response:
//
//  1. A failure of the store replaces the response, unless the handler has answered 500 or more by itself.
//  2. The browser sent a cookie and there is no session: the cookie is deleted, at any status. Not the cookie of a parallel
//     login, though: a key that was rotated away a moment ago is left alone.
//  3. Whoever asked for the data varies the response by Cookie.
//  4. Changes are saved, and the cookie is set, unless the status is 500 or more.

// responder is a Session as the response's hook.
type responder Session

// BeforeHeader saves the session and sets or deletes its cookie.
func (h *responder) BeforeHeader(x *respond.Exchange, status int) error {
	s := (*Session)(h)
	err := s.beforeHeader(x.Header(), status)
	s.sealed = true
	if err != nil || status >= http.StatusInternalServerError {
		s.disown()
	}
	if err == nil {
		return nil
	}
	s.replaced = true
	if s.ended || s.lost && s.missing { // a hook that fails leaves no cookie; another one can
		x.OnHeader((*forgetter)(s))
	}
	return err
}

func (s *Session) beforeHeader(header http.Header, status int) error {
	failed := status >= http.StatusInternalServerError
	if s.watched {
		return s.look(failed)
	}
	if s.manager.cfg.SaveEveryRequest && !failed && s.key != "" {
		_ = s.open("sessions.Save") // kept in s.err
	}
	if s.err != nil && !failed {
		return s.err
	}
	if s.lost && !failed {
		return ErrInterrupted
	}
	if s.cookie && (s.IsEmpty() || s.ended && failed) {
		return s.forget(header)
	}
	if s.accessed {
		s.exchange.VaryByCookie()
	}
	if failed {
		return nil
	}
	if !s.IsEmpty() && (s.unsaved || s.manager.cfg.SaveEveryRequest && !s.written) {
		if err := s.saveOrForget(); err != nil {
			return err
		}
		if s.IsEmpty() {
			return s.forget(header)
		}
	}
	if s.fresh {
		s.setCookie(header)
	}
	return nil
}

// look is beforeHeader for a session that is only looked at.
func (s *Session) look(failed bool) error {
	if s.accessed {
		s.exchange.VaryByCookie()
	}
	if failed {
		return nil
	}
	return s.err
}

// saveOrForget saves. A session that died meanwhile under a save that nobody asked for is as good as none.
func (s *Session) saveOrForget() error {
	if s.key == "" && !s.ended {
		if rotated, err := s.rotatedAway(); err != nil {
			return err
		} else if rotated { // a new session would take the place of the one just logged in to
			return ErrInterrupted
		}
	}
	err := s.save()
	if errors.Is(err, ErrInterrupted) && !s.unsaved {
		s.key, s.data, s.record, s.missing = "", Data{}, Record{}, true
		return nil
	}
	return err
}

// forget deletes the cookie.
func (s *Session) forget(header http.Header) error {
	s.exchange.VaryByCookie()
	if !s.ended {
		if rotated, err := s.rotatedAway(); rotated || err != nil {
			return err
		}
	}
	s.manager.cfg.Cookie.Delete(header, s.request)
	return nil
}

// lastTry bounds the tidying up after a store that failed.
const lastTry = 300 * time.Millisecond

// disown ends a session that was made under a new key in a request that failed: the browser will never hear of the key.
func (s *Session) disown() {
	if !s.claimed {
		return
	}
	ctx, cancel := s.manager.writing(s.request)
	defer cancel()
	if s.err != nil { // the store has just failed: the person has waited enough
		ctx, cancel = context.WithTimeout(ctx, lastTry)
		defer cancel()
	}
	if err := s.manager.store.Delete(ctx, s.key); err != nil {
		s.manager.cfg.Logger.WarnContext(ctx, "sessions: a session remains of which nobody knows the key", "error", err)
	}
}

func (s *Session) setCookie(header http.Header) {
	now := s.manager.cfg.Now()
	life := origin.Life{Now: now}
	if e := s.manager.expiry(s.data, now); !e.atClose {
		// Zero would mean "until the browser closes".
		if life.MaxAge = e.age(s.record.Created); life.MaxAge == 0 {
			life.MaxAge = time.Nanosecond
		}
	}
	s.manager.cfg.Cookie.Set(header, s.request, s.key, life)
}

// forgetter deletes the cookie of a Session beside an error page.
type forgetter Session

// BeforeHeader deletes the cookie, unless a parallel request has just set it.
func (h *forgetter) BeforeHeader(x *respond.Exchange, _ int) error {
	s := (*Session)(h)
	if s.cookie {
		return s.forget(x.Header())
	}
	return nil
}

// Finish saves what changed after the header, and notes that the session was used.
func (h *responder) Finish(x *respond.Exchange) error {
	s := (*Session)(h)
	if x.Panicked() && !s.sealed { // http.ErrAbortHandler
		s.disown()
		return nil
	}
	if s.replaced || x.Panicked() || x.Status() >= http.StatusInternalServerError || s.err != nil || s.key == "" {
		return nil
	}
	if s.unsaved {
		return s.saveLate()
	}
	s.touch()
	return nil
}

// saveLate saves after the header. By now others may know the key that this request made.
func (s *Session) saveLate() error {
	ctx, cancel := s.manager.writing(s.request)
	defer cancel()
	if s.record.Version == "" && s.written {
		if err := s.replay(ctx); err != nil {
			return err
		}
	}
	return s.write(ctx, "save", s.manager.store.Save)
}
