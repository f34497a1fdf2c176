import Foundation

/// What was done to a storage, from a moment on.
struct StorageLog {
    let operations: [StorageOperation]

    /// From where in the log on it is of interest what is left.
    let start: Int

    /// The same without some operations.
    func filter(_ isKept: (StorageOperation) -> Bool) -> StorageLog {
        StorageLog(operations: operations.filter(isKept), start: start)
    }

    /// Looks at what may be left at every moment.
    ///
    /// - Parameters:
    ///   - states: How many of each kind that is chosen at random.
    ///   - look: Gets a state and where the log ended; returns what is to be said of it.
    /// - Returns: How many states there were, and all that was said.
    /// - Throws: What `look` threw.
    func visit(
        states: Int = LongTests.states,
        _ look: (StorageImage, Int) throws -> [String]
    ) throws -> (states: Int, found: Set<String>) {
        let loss = PowerLoss(operations)
        var generator = SeededGenerator(seed: 1)
        var count = 0
        var found: Set<String> = []
        for moment in loss.moments where loss.position(at: moment) >= start {
            // And the worker alone dies.
            var images = [loss.everything(at: moment)]
            for choice in PowerLoss.Choice.allCases {
                for _ in 0..<(choice.isRandom ? states : 1) {
                    images.append(loss.left(at: moment, choice, &generator))
                }
            }
            for image in images {
                found.formUnion(try look(image, loss.position(at: moment)))
            }
            count += images.count
        }
        return (count, found)
    }
}

extension PowerLoss.Choice {
    /// Not the same each time.
    var isRandom: Bool { self == .random || self == .torn }
}

/// How much is tried: what fits a continuous integration, or with `LONG_TESTS=1` much more.
enum LongTests {
    static let areRun = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

    /// States a moment, of each kind that is chosen at random.
    static let states = areRun ? 400 : 6
}
