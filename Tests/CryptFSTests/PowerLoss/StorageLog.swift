import Foundation

/// What was done to a storage, from a moment on.
struct StorageLog {
    let operations: [StorageOperation]

    /// From where in the log on it is of interest what is left.
    let start: Int

    /// What was there before.
    var base = StorageImage()

    /// The same without some operations.
    func filter(_ isKept: (StorageOperation) -> Bool) -> StorageLog {
        StorageLog(operations: operations.filter(isKept), start: start, base: base)
    }

    /// Looks at what may be left at every moment.
    ///
    /// - Parameters:
    ///   - states: How many of each kind that is chosen at random.
    ///   - limit: How many moments at most, evenly chosen.
    ///   - look: Gets a state and where the log ended; returns what is to be said of it.
    /// - Returns: How many states there were, and all that was said.
    /// - Throws: What `look` threw.
    func visit(
        states: Int = LongTests.states,
        limit: Int = .max,
        _ look: (StorageImage, Int) throws -> [String]
    ) throws -> (states: Int, found: Set<String>) {
        let loss = PowerLoss(operations, on: base)
        let moments = loss.moments.filter { loss.position(at: $0) >= start }
        let chosen = min(limit, moments.count)
        var generator = SeededGenerator(seed: 1)
        var count = 0
        var found: Set<String> = []
        for index in 0..<chosen {
            let moment = moments[(2 * index + 1) * moments.count / (2 * chosen)]
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
