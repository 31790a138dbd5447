load("return 1")
