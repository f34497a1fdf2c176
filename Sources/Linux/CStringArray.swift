internal import Glibc

/// A null-terminated array of C strings, as `execve` takes it.
public final class CStringArray {
    private let storage: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    /// Copies the strings.
    public init(_ strings: [String]) {
        storage = .allocate(capacity: strings.count + 1)
        storage.initialize(repeating: nil)
        for (index, string) in strings.enumerated() { storage[index] = strdup(string) }
    }

    /// Copies C strings, whatever bytes they hold.
    public init(copying strings: some Collection<UnsafePointer<CChar>>) {
        storage = .allocate(capacity: strings.count + 1)
        storage.initialize(repeating: nil)
        for (index, string) in strings.enumerated() { storage[index] = strdup(string) }
    }

    deinit {
        for string in storage { free(string) }
        storage.deallocate()
    }

    /// The array, valid as long as the object lives.
    public var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        // An allocation of at least one element has an address.
        storage.baseAddress.unsafelyUnwrapped
    }

    /// The number of strings.
    public var count: Int { storage.count - 1 }
}
