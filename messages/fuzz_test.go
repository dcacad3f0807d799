package messages_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/signing"
)

// randomText is text that does not compress.
func randomText(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base64urlLetters[rand.IntN(len(base64urlLetters))]
	}
	return string(b)
}

const base64urlLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// FuzzCookie decodes cookies as they come, and the same bytes as a payload that somebody with the key has signed.
func FuzzCookie(f *testing.F) {
	f.Add("W1siX19qc29uX21lc3NhZ2UiLDAsMjUsIlNhdmVkIiwiIl1d:1vbVSP:fZ19fj9pDXl1G2mkwX9s1WDRiO4-dw85iCGzvg_qRZU")
	f.Add(`[["__json_message",0,20,"a","b"],"__messagesnotfinished__"]`)
	f.Add(`[["__json_message",1,20,"a"],["__json_message"],7,null]`)
	f.Add(".eJyLjlaKj88qzs-Lz00tLk5MT1XSMdAxNNBRyjU0UNJRUorVwabACKTACJ8CU5ACU9wKjEEmGOMxwQSkwASiIBYAFdowDA")
	signer, err := signing.NewTimestampSigner(signing.Keys{Current: secret}.ForCookies(), signing.SignerConfig{Salt: "django.contrib.messages"})
	if err != nil {
		f.Fatal(err)
	}
	layer, err := messages.New(messages.Config{Storage: messages.Cookie, Keys: signing.Keys{Current: secret}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		testhang.Watch(t)
		layer.DecodeCookie(s)
		for _, body := range []string{s, base64.RawURLEncoding.EncodeToString([]byte(s))} {
			roundTrip(t, layer, signer.Sign(body, time.Unix(0, 0)))
		}
	})
}

// roundTrip holds that what can be read can be written and read again, if it holds no broken text.
func roundTrip(t *testing.T, layer *messages.Layer, value string) {
	list, more := layer.DecodeCookie(value)
	for _, m := range list {
		if strings.ContainsRune(m.Text+m.ExtraTags, '\uFFFD') {
			return
		}
	}
	again, err := layer.EncodeCookie(list, more)
	if err != nil {
		t.Fatal(err)
	}
	if second, secondMore := layer.DecodeCookie(again); !slices.Equal(second, list) || secondMore != more {
		t.Errorf("read again\n got  %q %v\n want %q %v", second, secondMore, list, more)
	}
}

// FuzzSession reads the session's value.
func FuzzSession(f *testing.F) {
	f.Add([]byte(`"[[\"__json_message\", 0, 25, \"Saved\", \"\"]]"`))
	f.Add([]byte(`[["__json_message", 0, 25, "Saved", "x"]]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		testhang.Watch(t)
		list, err := messages.ParseSession(raw)
		if err != nil {
			return
		}
		for _, m := range list {
			if strings.ContainsRune(m.Text+m.ExtraTags, '\uFFFD') {
				return
			}
		}
		text, err := json.Marshal(messages.SessionText(list))
		if err != nil {
			t.Fatal(err)
		}
		again, err := messages.ParseSession(text)
		if err != nil || !slices.Equal(again, list) {
			t.Errorf("read again\n got  %q %v\n want %q", again, err, list)
		}
	})
}
