/** Loaded before each file of tests: what runs in this process draws in colours, wherever the tests print. */
process.env["FORCE_COLOR"] = "1";
