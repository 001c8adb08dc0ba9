// flags → config → run. The commands are in cli/.
