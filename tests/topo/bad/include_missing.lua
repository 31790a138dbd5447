include "nope.lua"
