guest "h1" { kernel = "method_too_early.lua" }
h1:send "x"
