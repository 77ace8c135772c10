// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A wallet that lets helpers work on it.
contract Wallet {
    address public owner = msg.sender;

    receive() external payable {}

    function pay(address payable to, uint256 amount) external {
        require(msg.sender == owner, "not the owner");
        (bool paid, ) = to.call{value: amount}("");
        require(paid, "not paid");
    }

    function help(address helper, bytes calldata work) external {
        (bool done, ) = helper.delegatecall(work);
        require(done, "not done");
    }
}
