guest "h1" { kernel = "nope" }
guest "h2" { kernel = "." }
guest "h5" { kernel = "missing_files.lua", disk "nope.img" }
guest "h3" { image = "hst" }
guest "h4" { bios = "foo" }
