// Package guides follows the guide about other routers, whose programs need those routers.
package guides

import (
	_ "github.com/gin-gonic/gin" // what the programs of the guide import
	_ "github.com/go-chi/chi/v5"
	_ "github.com/labstack/echo/v4"
)
