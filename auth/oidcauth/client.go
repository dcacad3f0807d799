package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// errTooLarge is an answer that goes on and on.
var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxBody)

// newClient is the only way to a provider: every call has a time limit, every answer a size, and nobody is led elsewhere.
func newClient(transport http.RoundTripper, timeout time.Duration) *http.Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = 64 << 10
		t.ResponseHeaderTimeout = timeout
		transport = t
	}
	return &http.Client{
		Transport:     bounded{transport},
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded limits the bodies of answers, as they are after decompression.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{resp.Body, maxBody}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// getJSON fetches an address; token is an access token, or "".
func (p *Provider) getJSON(ctx context.Context, address, token string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, resp.Status)
	}
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		if errors.Is(err, errTooLarge) {
			return fmt.Errorf("%s: %w", address, errTooLarge)
		}
		return fmt.Errorf("%s does not answer with JSON: %w", address, err)
	}
	return nil
}
