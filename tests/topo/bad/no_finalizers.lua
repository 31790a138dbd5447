setmetatable({}, { __gc = print })
