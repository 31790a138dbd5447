guest "h1" { kernel = "tests.lua" }
test("a", function() end)
test("a", function() end)
run "5 parsecs"
epoch "yesterday"
