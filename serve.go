package cardea

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// sweepEvery is how often [Site.Run] deletes what has expired.
const sweepEvery = 10 * time.Minute

// shutdownTime is how long requests under way may take to finish once a site is told to stop.
const shutdownTime = 10 * time.Second

// A sweeper deletes what has expired and says how many rows that were.
type sweeper interface {
	Sweep(ctx context.Context, now time.Time) (int, error)
}

// Run does the site's chores until ctx ends: it sends the mail that waits and deletes expired sessions, counters and links. Several
// processes may run it on one database. A failure is logged and tried again at the next round.
func (s *Site[U]) Run(ctx context.Context) error {
	if s.courier != nil {
		sending := make(chan struct{})
		go func() {
			defer close(sending)
			_ = s.courier.Run(ctx)
		}()
		defer func() { <-sending }() // it ends the message under way
	}
	s.warm(ctx)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		for _, sw := range s.sweepers {
			if _, err := sw.Sweep(ctx, s.now()); err != nil && ctx.Err() == nil {
				s.logger.WarnContext(ctx, "cleaning failed", "error", err)
			}
		}
	}
}

// warm hashes once, so that the hashers' measurement of each other, which takes about a second, is not the first visitor's.
func (s *Site[U]) warm(ctx context.Context) {
	if s.Hashers == nil {
		return
	}
	if err := s.Hashers.Decoy(ctx, ""); err != nil && ctx.Err() == nil {
		s.logger.WarnContext(ctx, "measuring the password hashers failed", "error", err)
	}
}

// Serve listens on addr, serves app wrapped by [Site.Handler], and does the chores of [Site.Run], until ctx ends; then it lets
// the requests under way finish, for ten seconds at most, and returns nil.
func (s *Site[U]) Serve(ctx context.Context, addr string, app http.Handler) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("cardea: %w", err)
	}
	return s.ServeListener(ctx, ln, s.Handler(app), nil)
}

// ServeListener is [Site.Serve] on a listener of the caller's, over TLS when a configuration is given, with a handler that is
// served as it is: wrap the site's part of it with [Site.Handler]. It closes ln.
func (s *Site[U]) ServeListener(ctx context.Context, ln net.Listener, h http.Handler, config *tls.Config) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      120 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		TLSConfig:         config,
	}
	chores, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(chores)
	}()
	defer func() { stop(); <-ended }()

	failed := make(chan error, 1)
	go func() {
		if config != nil {
			failed <- server.ServeTLS(ln, "", "")
			return
		}
		failed <- server.Serve(ln)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("cardea: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("cardea: %w", err)
	}
	return nil
}
