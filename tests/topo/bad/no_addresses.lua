print(("%p"):format({}))
