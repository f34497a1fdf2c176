internal import ArgumentParser
internal import Glibc

// A reader that goes away early, such as `head`, is an error to report, not a signal to die of.
signal(SIGPIPE, SIG_IGN)
exit(await Program.run(arguments: Array(CommandLine.arguments.dropFirst())))
