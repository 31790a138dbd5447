guest "h1" { kernel = "method_unknown.lua" }
h1:exspect "x"
