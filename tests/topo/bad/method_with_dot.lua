guest "h1" { kernel = "method_with_dot.lua" }
h1.send "x"
