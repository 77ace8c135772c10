// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Keeps ether for whoever paid it in.
contract Vault {
    mapping(address => uint256) public balances;

    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    function withdraw(uint256 amount) external {
        require(balances[msg.sender] >= amount, "too much");
        (bool paid, ) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
        unchecked {
            balances[msg.sender] -= amount;
        }
    }

    function balanceOf(address owner) external view returns (uint256) {
        return balances[owner];
    }
}
