include "include_itself.lua"
