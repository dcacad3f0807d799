package sessions

import (
	"strconv"

	"github.com/cardea-go/cardea/internal/pickle"
)

// The engines of Django that keep sessions in a cache, as DjangoCacheKey names them.
const (
	DjangoCacheEngine    = "cache"
	DjangoCachedDBEngine = "cached_db"
)

// DjangoCacheKey returns the key under which Django's cache holds a session: prefix is KEY_PREFIX and version VERSION of the
// cache, and engine is one of the two above (django.core.cache.backends.base.default_key_func over KEY_PREFIX of the engine).
func DjangoCacheKey(prefix string, version int, engine, key string) string {
	return prefix + ":" + strconv.Itoa(version) + ":django.contrib.sessions." + engine + key
}

// EncodePickle returns d as the Python pickle that Django's caches hold: protocol 5 for Redis and memcached.
func EncodePickle(d Data, protocol int) ([]byte, error) {
	raw, err := d.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	v, err := pickle.FromJSON(raw)
	if err != nil {
		return nil, err
	}
	return pickle.MarshalProtocol(v, protocol)
}

// DecodePickle reads such a pickle. One that holds anything but plain data is refused: a pickle is a program.
func DecodePickle(b []byte) (Data, error) {
	v, err := pickle.Unmarshal(b)
	if err != nil {
		return Data{}, err
	}
	raw, err := pickle.ToJSON(v)
	if err != nil {
		return Data{}, err
	}
	return ParseData(raw)
}
