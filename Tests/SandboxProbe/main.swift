// Enters a sandbox of secure-init's, or none, and tries one thing, as who has taken the process over
// would:
//
//     sandbox-probe none|fetcher|worker STORAGE ATTEMPT ARGUMENT
//
// Ends with 0 where the attempt succeeded, else with the error number.

import CAttack
import Glibc

@testable import SecureInit

let arguments = CommandLine.arguments
guard arguments.count == 5 else { exit(200) }
let argument = arguments[4]

switch arguments[1] {
case "fetcher": for sentence in Sandbox.fetcher.enter() { print(sentence) }
case "worker": for sentence in Sandbox.worker(storage: arguments[2]).enter() { print(sentence) }
default: break
}

/// Ends with what a call left, where it failed.
func attempt(_ call: () -> Int) {
    exit(call() == -1 ? errno : 0)
}

switch arguments[3] {
case "read": attempt { Int(open(argument, O_RDONLY)) }
case "write": attempt { Int(open(argument, O_WRONLY | O_CREAT, 0o600)) }
case "remove": attempt { Int(unlinkat(AT_FDCWD, argument, 0)) }
case "execute":
    let program = strdup(argument)
    attempt { Int(execv(argument, [program, nil])) }
case "socket":
    attempt { Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)) }
case "listen":
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    attempt { Int(listen(descriptor, 1)) }
case "signal":
    attempt { Int(kill(Int32(argument) ?? 0, 0)) }
default:
    // Any other attempt is one of the attacker's: the argument is a process's number.
    let refusal = attack_alone(arguments[3], Int32(argument) ?? 0)
    exit(refusal == ENODATA ? 0 : refusal)
}
