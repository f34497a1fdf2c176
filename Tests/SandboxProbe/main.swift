// Enters a sandbox of secure-init's, or none, and tries one thing, as who has taken the process over
// would:
//
//     sandbox-probe none|fetcher|guardian|worker|worker-exchanged|worker-by-path STORAGE ATTEMPT ARGUMENT
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
case "guardian": for sentence in Sandbox.guardian.enter() { print(sentence) }
case "worker", "worker-exchanged", "worker-by-path":
    var storage = open(arguments[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if arguments[1] != "worker" {
        // What an attacker does between the storage's opening and the rule on it.
        guard rename(arguments[2], arguments[2] + ".moved") == 0,
            symlink("/", arguments[2]) == 0
        else { exit(201) }
    }
    // The control: a rule on whatever the path leads to by now.
    if arguments[1] == "worker-by-path" { storage = open(arguments[2], O_RDONLY | O_CLOEXEC) }
    for sentence in Sandbox.worker.enter(changing: [storage]) { print(sentence) }
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
