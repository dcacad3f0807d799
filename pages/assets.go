package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static/*
var static embed.FS

// assetFolder is where the style sheet, the script and the icon live below the prefix. Their names hold a hash of the content,
// so that they can be cached for ever.
const assetFolder = "static/"

type asset struct {
	path    string // below the prefix
	kind    string
	content []byte
}

// loadAssets returns the built-in files by their plain name.
func loadAssets() (map[string]asset, error) {
	files, err := fs.Glob(static, "static/*")
	if err != nil {
		return nil, err
	}
	all := map[string]asset{}
	for _, file := range files {
		content, err := static.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		name, ext := path.Base(file), path.Ext(file)
		all[name] = asset{
			path:    assetFolder + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			kind:    mime.TypeByExtension(ext),
			content: content,
		}
	}
	return all, nil
}

// Assets answers the requests for the built-in files, which hold nothing about anybody, and leaves the others to next. It stands
// before everything that may refuse a request, so that the page which says so has its looks.
func (p *Pages) Assets(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, p.cfg.Prefix+assetFolder); ok && p.serveAsset(w, r, name) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *Pages) serveAsset(w http.ResponseWriter, r *http.Request, name string) bool {
	for _, a := range p.assets {
		if a.path != assetFolder+name {
			continue
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return false
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Length", strconv.Itoa(len(a.content)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(a.content)
		}
		return true
	}
	return false
}
