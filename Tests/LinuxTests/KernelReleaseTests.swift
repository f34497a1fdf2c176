import Linux
import Testing

struct KernelReleaseTests {
    @Test(arguments: [
        ("6.18.44-generic", KernelRelease(6, 18)), ("6.1.0-13-amd64", KernelRelease(6, 1)),
        ("4.19", KernelRelease(4, 19)), ("10.0-rc1", KernelRelease(10, 0)),
        ("6.16+", KernelRelease(6, 16)),
        ("", nil), ("6", nil), ("six.one", nil),
    ])
    func `a release is read from what the kernel says`(text: String, expected: KernelRelease?) {
        #expect(KernelRelease(text) == expected)
    }

    @Test func `releases are compared by number`() {
        #expect(KernelRelease(6, 9) < KernelRelease(6, 16))
        #expect(KernelRelease(5, 19) < KernelRelease(6, 0))
        #expect(KernelRelease.current.map { $0 >= KernelRelease(4, 19) } == true)
    }
}
